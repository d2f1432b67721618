#!/bin/sh
# Stands for the server in the daemon tests: runs it under valgrind; a leak or a bad access is exit
# status 99, which the tests take for a failure. Not confined: valgrind knows neither Landlock nor
# seccomp.
case " $* " in
*' --sandbox '*) ;;
*) set -- "$@" --sandbox off ;;
esac
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
	--errors-for-leak-kinds=all --track-fds=no "$SOCKS5D_BINARY" "$@"
