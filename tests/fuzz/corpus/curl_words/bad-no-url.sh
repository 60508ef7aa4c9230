curl -H 'a: b'
curl ftp://h/x http:// 
curl http://h/ -H
