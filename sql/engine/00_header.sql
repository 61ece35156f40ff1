-- elecbill: the engine. Built from sql/engine and sql/schema; edit the parts, not this file.
\echo Use "CREATE EXTENSION elecbill" to load this file. \quit
