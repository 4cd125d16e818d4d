"""Celery shells: ids in, one call, a small result out. ``celery -A tasks`` finds the app here."""

from runtime.celeryapp import app

__all__ = ["app"]
