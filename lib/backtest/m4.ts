import { readFile } from 'node:fs/promises'

/** The series of a file of the M4 competition, one a line. */
export async function readSeries(file: string): Promise<number[][]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n')
  return lines.map(line =>
    line
      .split(',')
      .slice(1)
      .map(cell => cell.replaceAll('"', '').trim())
      .filter(cell => cell !== '')
      .map(Number)
  )
}
