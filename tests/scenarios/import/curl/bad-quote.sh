curl 'http://h/' \
  -H 'X-A: b
