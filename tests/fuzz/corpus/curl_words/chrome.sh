curl 'http://127.0.0.1:8080/api/login' \
  -H 'Accept: application/json' \
  -H 'Accept-Language: en-GB,en;q=0.9' \
  -H 'Connection: keep-alive' \
  -H 'Content-Type: application/json' \
  -b 'sid=hunter2; theme=dark' \
  -H 'User-Agent: Mozilla/5.0' \
  --data-raw $'{"user":"O\'Neil","password":"hunter2"}' \
  --compressed \
  --insecure ;
curl 'http://127.0.0.1:8080/api/me' \
  -H 'Accept: application/json' \
  -H 'authorization: Bearer c2VjcmV0.hunter2' ;
curl 'http://127.0.0.1:8080/api/groups/1' -X 'DELETE' -H 'Accept: application/json'
