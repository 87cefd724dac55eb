"""The pages people open in a browser, and what machines read over HTTP. Reads through StatusReader; knows no SQL."""
