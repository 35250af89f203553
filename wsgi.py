"""The WSGI entry: what the web server and the flask command load."""

import os

from donorhub.wiring import create_app, development

development.borrow(os.environ)
app = create_app()
