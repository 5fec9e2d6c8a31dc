"""The rules of the business: everything that is more than parsing a request or sending a query."""
