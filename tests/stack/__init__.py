"""The embedded Supabase behaves as a hosted project does."""
