"""The language of keepalived.conf before its keywords: text to lines to words, as keepalived 2.2.7 reads it."""
