# every option that says what is asked
curl -sSXPUT http://h:81/put -d a=1 -d 'b=${x}' --data-urlencode 'c=d e&f' --data-urlencode plain\ text
curl -G https://other.example.com/ -d q=1
curl -G 'http://h:81/search?x=1' -d q=1 --data-urlencode 'w=a b'
curl -I http://h:81/head -A agent -e http://from/ -r 0-99 -m 2.5
curl --json '{"a": [1, 2.5, true, null], "token": "hunter2"}' http://h:81/json
curl -u me:hunter2 http://h:81/basic -o /dev/null -w '%{http_code}'
curl --oauth2-bearer hunter2 http://h:81/bearer -H 'X-Empty;' -H 'Accept:' -L
curl http://h:81/one http://h:81/two --next --url http://h:81/three -X POST
curl http://h:81/form -F file=@x ; curl http://h:81/file -d @body.json
curl http://h:81/odd --frobnicate hunter2 --password=hunter2 -j -X BREW
curl http://h:81/${HOME} | jq .
curl 'http://me:hunter2@h:81/user' > out
