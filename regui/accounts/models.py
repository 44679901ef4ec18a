"""Users. Nobody signs in yet, but a project can't change its user model later: it is ours from the start."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with an account."""
