curl -F a=b http://h/
