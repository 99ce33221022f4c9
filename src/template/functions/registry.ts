import { certificateFunctions } from './certificates.ts'
import { cryptoFunctions } from './crypto.ts'
import { dateFunctions } from './dates.ts'
import { defaultFunctions } from './defaults.ts'
import type { FunctionLibrary, TemplateFunction } from './define.ts'
import { dictFunctions } from './dicts.ts'
import { encodingFunctions } from './encoding.ts'
import { listFunctions } from './lists.ts'
import { numberFunctions } from './numbers.ts'
import { pathFunctions } from './paths.ts'
import { processFunctions } from './process.ts'
import { reflectionFunctions } from './reflection.ts'
import { regexFunctions } from './regex.ts'
import { semverFunctions } from './semver.ts'
import { stringFunctions } from './strings.ts'
import { urlFunctions } from './urls.ts'

/** The functions of the library by topic, in the order of the reference page. */
export const functionTopics: ReadonlyArray<readonly [topic: string, functions: readonly TemplateFunction[]]> = [
  ['Defaults, JSON, flow', defaultFunctions],
  ['Text', stringFunctions],
  ['Encoding and checksums', encodingFunctions],
  ['Dates', dateFunctions],
  ['Numbers', numberFunctions],
  ['Lists', listFunctions],
  ['Dictionaries', dictFunctions],
  ['Regular expressions', regexFunctions],
  ['Types', reflectionFunctions],
  ['Paths', pathFunctions],
  ['URLs', urlFunctions],
  ['Versions', semverFunctions],
  ['Cryptography', cryptoFunctions],
  ['Certificates', certificateFunctions],
  ['Environment and identity', processFunctions],
]

/** sprig 2.22.0 as Kanister offers it: 150 names, for both dialects. */
export const functionLibrary: FunctionLibrary = new Map(
  functionTopics.flatMap(([, functions]) => functions.map((fn) => [fn.name, fn] as const)),
)
