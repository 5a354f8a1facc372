//! Stores in files: new ones, ones that are opened again, imported ones; and broken places.
