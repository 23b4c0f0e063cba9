import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { TraceError } from '../../errors/index.js'

export type Row = Readonly<Record<string, unknown>>

/** A row, and where it stands in its file. */
export interface Placed {
  readonly line: number
  readonly row: Row
}

const GZIPPED = /\.gz$/
const CHUNK_BYTES = 256 * 1024

/** The lines of a text file, unpacked where its name ends in .gz, some at once; each with its number, from 1 on. */
export async function* linesIn(file: string): AsyncGenerator<readonly string[]> {
  const bytes = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  const stream = GZIPPED.test(file) ? bytes.pipe(createGunzip()) : bytes
  bytes.on('error', error => stream.destroy(error))
  stream.setEncoding('utf8')
  let rest = ''
  let line = 0
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() as string
      line += lines.length
      if (lines.length > 0) yield lines.map(unterminated)
    }
  } catch (error) {
    throw new TraceError(`${file} cannot be read after line ${line}: ${(error as Error).message}`, { file, line }, error)
  } finally {
    bytes.destroy()
  }
  if (rest !== '') yield [unterminated(rest)]
}

function unterminated(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** The cells of a line of comma-separated values, some of them in quotes (RFC 4180, without line breaks in cells). */
export function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  for (let at = 0; at <= line.length; ) {
    const isQuoted = line[at] === '"'
    const end = isQuoted ? endOfQuoted(line, at + 1) : line.indexOf(',', at)
    const to = end < 0 ? line.length : end
    cells.push(isQuoted ? line.slice(at + 1, to).replaceAll('""', '"') : line.slice(at, to))
    const comma = isQuoted ? line.indexOf(',', to) : to
    at = comma < 0 ? line.length + 1 : comma + 1
  }
  return cells
}

function endOfQuoted(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2)) if (line[at + 1] !== '"') return at
  return -1
}

/** @throws TraceError */
export function badLine(file: string, line: number, why: string): TraceError {
  return new TraceError(`${file}:${line}: ${why}`, { file, line })
}

/** A finite number; an empty cell is none. */
export function numberIn(file: string, line: number, column: string, cell: unknown): number {
  const isNumber = typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'bigint'
  const value = isNumber ? Number(cell) : Number.NaN
  // Blanks are 0 to the language, and nothing else than 0 is.
  if (!Number.isFinite(value) || (value === 0 && typeof cell === 'string' && cell.trim() === ''))
    throw badLine(file, line, `${column} is ${JSON.stringify(String(cell))}, which is no number`)
  return value
}

/** An object in JSON. @throws TraceError */
export function recordIn(file: string, line: number, text: string): Row {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badLine(file, line, `it is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badLine(file, line, 'it is no object')
  return value as Row
}
