"""The sign-in form of the page for operators."""

from pydantic import BaseModel, Field


class SignIn(BaseModel):
    """An ordinary account's e-mail address and password."""

    email: str = Field(min_length=3, max_length=254, pattern="@")
    password: str = Field(min_length=1, max_length=1000)
