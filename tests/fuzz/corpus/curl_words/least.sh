curl example.com
curl me:hunter2@example.com/x -u you:hunter2-other
curl 'me:hunter2@example.com/x?y'
curl example.com?a=/b#c
