"""Add-ons: catalogue, versions, health, operations."""
