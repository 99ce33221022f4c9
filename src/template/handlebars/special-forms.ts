/**
 * Words of this dialect that are no functions of the library, or mean something else here. The interpreter knows how they
 * treat their arguments.
 */
export const specialForms: ReadonlyMap<string, { readonly summary: string; readonly example: string }> = new Map([
  [
    'optional',
    {
      summary:
        'A value that need not be there: nothing, where any step of the path is missing. Further arguments are further steps.',
      example: '{{default "10" (optional Options.retries)}}',
    },
  ],
  [
    'has',
    {
      summary: "Whether an object has a key, and in it another, and so on. With a list as its second argument: sprig's `has`.",
      example: '{{#if (has Options "pitr")}}…{{/if}}',
    },
  ],
  ['lookup', { summary: 'An entry by a computed key or index; it must be there.', example: '{{lookup StatefulSet.Pods 0}}' }],
  [
    'index',
    { summary: 'The same as `lookup`. (In Go an absent key gives an empty value.)', example: '{{index Options "dash-name"}}' },
  ],
  [
    'and',
    {
      summary: 'The first value that counts as false, or the last one; what follows is not looked at.',
      example: '{{#if (and a b)}}…{{/if}}',
    },
  ],
  [
    'or',
    {
      summary: 'The first value that counts as true, or the last one; what follows is not looked at.',
      example: '{{#with (or Deployment StatefulSet)}}…{{/with}}',
    },
  ],
])
