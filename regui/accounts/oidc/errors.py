"""What can go wrong on the way."""


class Failed(Exception):
    """No sign-in came of it. `str()` is for the log, `words` are for the person, who learns no more than
    helps."""

    words = "What the provider said can't be relied on, so nobody was signed in."


class Silent(Failed):
    """The provider didn't answer, or not as one does."""

    words = "The provider doesn't answer as it should."


class Cancelled(Failed):
    """The provider itself says no."""

    words = "The provider says that the sign-in was cancelled or refused there."


class Stale(Failed):
    """Nothing was begun that this would be the end of, or it was ended already."""

    words = "This sign-in was begun too long ago, in another browser, or is over already."
