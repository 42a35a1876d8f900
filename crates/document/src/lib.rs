//! Values and formats: one arena per run, regions, handles with generation, JSON in and out.
