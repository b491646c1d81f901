// How much arithmetic encoding is.

/** Operations of a text's way through the encoder; an addition and a multiplication are 2. */
export function operations({ layers, dims: hidden, inner = 4 * hidden }, tokens) {
  const linear = 2 * tokens * (4 * hidden * hidden + 2 * hidden * inner);
  const attention = 2 * tokens * tokens * hidden * 2;
  return { linear: layers * linear, attention: layers * attention };
}
