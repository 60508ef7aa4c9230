curl example.com
