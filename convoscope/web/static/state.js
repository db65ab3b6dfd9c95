// What is seen lives in the address, so that a link leads to the exact situation.

const KERNEL_FIELDS = ["padding", "stride", "dilation", "pool", "poolSize", "poolStride", "poolPadding", "poolDilation"];

/** The situation in a query string: {name: text}. */
export function readQuery(text) {
  return Object.fromEntries(new URLSearchParams(text));
}

/** A query string of what differs from nothing: empty, null and false entries are left out. */
export function writeQuery(entries) {
  const kept = Object.entries(entries).filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  const query = new URLSearchParams(kept.map(([name, value]) => [name, String(value)]));
  // Commas and semicolons are allowed in a query and keep a typed kernel readable.
  return query.toString().replaceAll("%2C", ",").replaceAll("%3B", ";").replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%3D", "=");
}

/** The bench's setting as query entries, leaving out what `standard` says anyway. */
export function settingToQuery(setting, standard) {
  const entries = {};
  for (const name of KERNEL_FIELDS) if (setting[name] !== standard[name]) entries[name] = setting[name];
  if (setting.channels !== standard.channels) entries.channels = setting.channels;
  for (const flag of ["ceil", "countPad"]) if (setting[flag]) entries[flag] = "1";
  const { kernel } = setting;
  if (!kernel) entries.kernel = "none";
  else if (kernel.name) entries.kernel = kernel.name;
  else if (kernel.filters * kernel.channels === 1) entries.kernel = kernelText(kernel);
  return entries;
}

/** Put what a query says of the bench over `setting`; named kernels are looked up with `find`. */
export function settingFromQuery(query, setting, find) {
  const next = { ...setting };
  for (const name of [...KERNEL_FIELDS, "channels"]) if (query[name] !== undefined) next[name] = query[name];
  for (const flag of ["ceil", "countPad"]) next[flag] = query[flag] === "1";
  // The field for it offers numbers only.
  if (next.poolPadding === "valid") next.poolPadding = "0";
  if (!["none", "max", "avg"].includes(next.pool)) next.pool = "none";
  if (!["each", "sum"].includes(next.channels)) next.channels = "each";
  if (query.kernel === "none") next.kernel = null;
  else if (query.kernel) next.kernel = find(query.kernel) ?? typedKernel(query.kernel) ?? next.kernel;
  return next;
}

/** A kernel as rows of numbers, 1,-1,1;-1,1,-1; a decimal comma becomes a point, since commas and spaces part the numbers. */
export function kernelText({ rows, columns, cells }) {
  const written = cells.map((cell) => cell.replace(/\s+/g, "").replaceAll(",", "."));
  return Array.from({ length: rows }, (_, row) => written.slice(row * columns, (row + 1) * columns).join(",")).join(";");
}

/** The kernel typed as rows of numbers, or null when the rows are no rectangle. */
export function typedKernel(text) {
  const rows = text.trim().split(/[;\n]/).filter((row) => row.trim()).map((row) => row.trim().split(/\s*,\s*|\s+/));
  if (!rows.length || rows.some((row) => row.length !== rows[0].length)) return null;
  return { name: null, filters: 1, channels: 1, rows: rows.length, columns: rows[0].length, cells: rows.flat() };
}

/** A small grey picture in an address: side, then a hexadecimal digit a pixel (16 levels). */
export function drawingToText({ height, data }, ink) {
  return `${height}.${Array.from(data, (value) => Math.round((value / ink) * 15).toString(16)).join("")}`;
}

/** The picture that drawingToText wrote, or null. */
export function drawingFromText(text, ink) {
  const [side, digits] = text.split(".");
  const count = Number(side);
  if (!Number.isInteger(count) || count < 2 || count > 32 || !new RegExp(`^[0-9a-f]{${count * count}}$`).test(digits ?? "")) return null;
  const data = Float32Array.from(digits, (digit) => Math.round((parseInt(digit, 16) / 15) * ink));
  return { channels: 1, height: count, width: count, data };
}
