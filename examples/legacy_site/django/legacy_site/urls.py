from django.conf.urls import include, url
from django.contrib import admin

from gallery.views import front_page

urlpatterns = [
    url(r"^$", front_page, name="front_page"),
    url(r"^admin/", include(admin.site.urls)),
]
