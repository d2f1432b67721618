/*
 * Ceilings step in 1, 2, 5, so that the scale stays readable and rarely changes; a bar is a number
 * of steps (eighths of a cell), of which each row shows its part.
 */
#include "client/plot.h"

double plot_ceiling(double value)
{
	static const double factors[] = {2, 2.5, 2}; /* 1, 2, 5, 10 */
	double ceiling = 1000;

	for (int i = 0; ceiling < value; i = (i + 1) % 3)
		ceiling *= factors[i];
	return ceiling;
}

int plot_fill(double value, double ceiling, int rows, int row, int steps)
{
	int filled;

	if (value <= 0)
		return 0;
	if (value > ceiling)
		value = ceiling;
	filled = (int)(value / ceiling * rows * steps + 0.5);
	if (filled == 0)
		filled = 1;
	filled -= row * steps;
	if (filled < 0)
		return 0;
	return filled > steps ? steps : filled;
}
