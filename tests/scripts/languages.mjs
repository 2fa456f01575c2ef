// Checks the modules of the back office for texts and times, outside a browser:
//
//   node languages.mjs FOLDER_OF_THE_MODULES FOLDER_OF_THE_CATALOGS

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [, , modules, catalogs] = process.argv;
globalThis.document = /** @type {any} */ ({ documentElement: {} });
globalThis.fetch = /** @type {any} */ (async (path) => ({ json: () => JSON.parse(readFileSync(`${catalogs}/${path.split("/").pop()}`, "utf8")) }));

const { chooseLocale, loadLocale, tn } = await import(`${modules}/i18n.js`);
const { formatExact, formatMoment, formatTime, inZone, PERIODS, setZone } = await import(`${modules}/time.js`);

const counts = [0, 1, 2, 4, 5, 22, 1.5];
for (const [locale, expected] of Object.entries({
  en: ["0 days", "1 day", "2 days", "4 days", "5 days", "22 days", "1.5 days"],
  sk: ["0 dn\u00ed", "1 de\u0148", "2 dni", "4 dni", "5 dn\u00ed", "22 dn\u00ed", "1,5 dn\u00ed"],
  id: ["0 hari", "1 hari", "2 hari", "4 hari", "5 hari", "22 hari", "1,5 hari"],
})) {
  await loadLocale(locale);
  assert.deepEqual(counts.map((count) => tn("count.days", count)), expected, locale);
}
assert.equal(chooseLocale(["de", "sk-SK", "en"]), "sk");
assert.equal(chooseLocale([null, "de"]), "en");

// the clock goes forward on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00
setZone("Europe/Bratislava");
await loadLocale("sk");
const times = ["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
assert.deepEqual(times.map(formatTime), ["01:59", "03:00", "02:30", "02:30"]);
assert.notEqual(formatExact(times[2]), formatExact(times[3]), "the exact time names the offset");
setZone("Asia/Jakarta");
assert.equal(formatTime(times[0]), "07:59");

// in another zone than that of the page, a time names its zone
assert.equal(inZone("Europe/Bratislava", () => formatTime(times[0])), "01:59");
assert.match(inZone("Europe/Bratislava", () => formatMoment(times[0])), /01:59 \S+$/);
assert.equal(inZone("Mars/Olympus", () => formatTime(times[0])), "07:59");
assert.equal(formatTime(times[0]), "07:59");

/** Does something at another time. */
function at(instant, run) {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length ? given : [instant]));
    }
    static now = () => new RealDate(instant).getTime();
  };
  try {
    return run();
  } finally {
    globalThis.Date = RealDate;
  }
}

setZone("Europe/Bratislava");
for (const [now, today, yesterday] of [
  ["2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z", "2026-03-27T23:00:00.000Z"],
  ["2026-03-30T12:00:00Z", "2026-03-29T22:00:00.000Z", "2026-03-28T23:00:00.000Z"],
  ["2026-10-26T12:00:00Z", "2026-10-25T23:00:00.000Z", "2026-10-24T22:00:00.000Z"],
]) {
  assert.equal(at(now, PERIODS.today).from, today, now);
  assert.deepEqual(at(now, PERIODS.yesterday), { from: yesterday, until: today }, now);
}
console.log("all texts and times are as expected");
