"""Device drivers, one module or small package per kind of device."""
