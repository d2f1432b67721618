# Makes the sample configuration Debian's: nobody gets in until there is a user.
/^# As it stands this file changes nothing:/ {
	c\
# As it stands nobody gets in until there is a user: users_file and state_dir\
# are set. "monitor_client ADD_USER NAME -", as root, adds the first. Take the #\
# off another line to set that.
}
s|^#users_file =$|users_file = /var/lib/socks5d/users|
s|^#state_dir =$|state_dir = /var/lib/socks5d|
