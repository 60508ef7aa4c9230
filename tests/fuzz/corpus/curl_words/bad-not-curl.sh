wget http://h/
