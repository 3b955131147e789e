"""DICOS (NEMA IIC 1): DICOM for security scanners. Images of a digital X-ray (DX), threat detection reports (TDR)."""
