from django.shortcuts import render
from filer.models import Image

SHOWN = 12


def front_page(request):
    """The images uploaded last, straight from the media folder."""
    images = Image.objects.filter(is_public=True).order_by("-uploaded_at")[:SHOWN]
    return render(request, "gallery/front_page.html", {"images": images})
