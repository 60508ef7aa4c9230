curl https://h/login -d 'user=me&password=hunter2&remember=on'
curl https://h/json -d '{"password":"hunter2"}'
