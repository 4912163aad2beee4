// Times in the acting person's zone, whatever the zone of this computer.

function partsOf(date, tz) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: tz, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  return Object.fromEntries(format.formatToParts(date).map((part) => [part.type, part.value]));
}

export function toZoned(unix, tz) {
  const p = partsOf(new Date(unix * 1000), tz);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

export function fromZoned(text, tz) {
  const wanted = Date.parse(`${text}:00Z`) / 1000;
  let unix = wanted;
  for (let round = 0; round < 2; round += 1) {
    unix += wanted - Date.parse(`${toZoned(unix, tz)}:00Z`) / 1000;
  }
  return unix;
}

export function clock(ts, tz) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: tz, hour: "2-digit", minute: "2-digit" }).format(new Date(Number(ts) * 1000));
}

export function day(ts, tz) {
  const date = new Date(Number(ts) * 1000);
  const show = (value) => new Intl.DateTimeFormat("en-GB", { timeZone: tz, weekday: "long", day: "numeric", month: "long" }).format(value);
  if (show(date) === show(new Date())) return "Today";
  if (show(date) === show(new Date(Date.now() - 86400000))) return "Yesterday";
  return show(date);
}
