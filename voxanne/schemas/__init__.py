"""Models of requests and replies, by which every route is validated and described."""
