/* version: what the programs call themselves. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SOCKS5D_VERSION "0.1.0"

#endif
