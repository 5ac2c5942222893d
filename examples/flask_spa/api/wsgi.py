"""What gunicorn serves."""

from app import make_app

app = make_app()
