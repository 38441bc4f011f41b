/** Which labels say what is silenced. Pure, and of nothing else: browsers load it, too. */

/** What differs between the tiers and eyes of one objective says nothing of it. */
const NOT_OF_IT = new Set(['tier', 'eye', 'severity', 'sloth_severity', 'evidence']);

export const saysWhatIsSilenced = (name: string): boolean => !NOT_OF_IT.has(name);
