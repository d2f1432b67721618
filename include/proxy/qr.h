/* qr: text as a QR code that is a picture in SVG. No state, no lock. */
#ifndef PROXY_QR_H
#define PROXY_QR_H

#include <stdbool.h>
#include <stdio.h>

/* Writes an <svg> element, black on white with the margin that readers need, `label` for those who
 * cannot see it. False when the text is too long (some 2,000 bytes) or without memory. */
bool qr_put_svg(const char *text, const char *label, FILE *out);

#endif
