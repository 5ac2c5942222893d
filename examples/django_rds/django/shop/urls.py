from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from items import views

urlpatterns = [
    path("", views.items, name="items"),
    path("<int:item>/done", views.done, name="done"),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
