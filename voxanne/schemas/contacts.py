"""Contacts as the leads page reads them."""

from pydantic import BaseModel


class ContactStats(BaseModel):
    """How many contacts there are, in all and by lead status."""

    total_leads: int
    hot_leads: int
    warm_leads: int
    cold_leads: int
