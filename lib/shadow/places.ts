// A rule that runs dry has an element of its own, so that nothing it grants is in the way of what is enforced. No name that somebody thinks
// of begins like this.
const DRY = '\u0000shadow\u0000'
const ALONE = '\u0000alone\u0000'
const mine = Math.random().toString(36).slice(2)
let alone = 0

export function dryPlace(name: string): string {
  return DRY + name
}

/** A place that nobody else asks for. */
export function lonePlace(name: string): string {
  alone++
  return `${ALONE}${process.pid}:${mine}:${alone}\u0000${name}`
}

/** Where units go that there are not. */
export function beyondPlace(name: string): string {
  return `${ALONE}\u0000${name}`
}

/** The name by which users know an element, and whether it is one of a rule that runs dry. */
export function nameOfPlace(place: string): { name: string; shadow: boolean } {
  if (place.startsWith(DRY)) return { name: place.slice(DRY.length), shadow: true }
  if (place.startsWith(ALONE)) return { name: place.slice(place.indexOf('\u0000', ALONE.length) + 1), shadow: true }
  return { name: place, shadow: false }
}
