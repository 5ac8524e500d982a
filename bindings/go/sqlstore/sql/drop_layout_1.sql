-- Removes the tables of layout 1, which was never released.
DROP TABLE IF EXISTS records;
DROP TABLE IF EXISTS subjects;
