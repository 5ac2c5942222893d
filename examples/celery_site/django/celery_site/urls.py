from django.urls import path

from factors import views

urlpatterns = [
    path("", views.page, name="page"),
    path("status.json", views.status, name="status"),
    path("healthz", views.health, name="health"),
]
