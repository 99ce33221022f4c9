import { defineErrors } from '../base/errors.ts'

export const templateError = defineErrors({
  TEMPLATE_PARSE: {
    next: 'stop',
    summary: 'The text of a template is not well formed, or names a function that does not exist.',
  },
  TEMPLATE_UNKNOWN_VARIABLE: { next: 'stop', summary: 'A template asks for a key or variable that is not there.' },
  TEMPLATE_EXEC: { next: 'stop', summary: 'A template failed while it was rendered.' },
  TEMPLATE_JSONPATH: { next: 'stop', summary: 'A JSONPath in a condition finds nothing in the object.' },
  TEMPLATE_LIMIT: { next: 'stop', summary: 'A template is nested too deeply, takes too many steps or gives too much output.' },
})
