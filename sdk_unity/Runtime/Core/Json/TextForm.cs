namespace Callsheet.Wire
{
    /// <summary>What a string of the protocol may look like.</summary>
    internal enum TextForm
    {
        Any,

        /// <summary>Letters, digits and <c>_ . : -</c>, ASCII only.</summary>
        Id,
        IdOrEmpty,

        /// <summary>A letter or <c>_</c>, then letters, digits and <c>_</c>, ASCII only.</summary>
        Identifier,

        /// <summary>major.minor.</summary>
        Version,
    }

    internal static class TextRules
    {
        /// <summary>Null, or what is wrong with a string. Lengths count Unicode code points.</summary>
        internal static string Broken(string text, int min, int max, TextForm form)
        {
            int length = text.Length;
            for (int i = 0; i < text.Length; i++)
            {
                bool paired = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
                if (char.IsSurrogate(text[i]) && !paired)
                {
                    return "has half of a surrogate pair at " + i;
                }
                if (paired)
                {
                    length--;
                    i++;
                }
            }
            if (length < min)
            {
                return "needs at least " + min + " characters";
            }
            if (length > max)
            {
                return "has " + length + " characters, the limit is " + max;
            }
            return Matches(text, form) ? null : Wanted(form);
        }

        private static bool Matches(string text, TextForm form)
        {
            if (form == TextForm.Any || (form == TextForm.IdOrEmpty && text.Length == 0))
            {
                return true;
            }
            if (form == TextForm.Version)
            {
                return Versions.TryParse(text, out _, out _);
            }
            bool identifier = form == TextForm.Identifier;
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
                bool digit = c >= '0' && c <= '9';
                bool mark = c == '.' || c == ':' || c == '-';
                if (!(letter || (digit && !(identifier && i == 0)) || (mark && !identifier)))
                {
                    return false;
                }
            }
            return true;
        }

        private static string Wanted(TextForm form)
        {
            switch (form)
            {
                case TextForm.Identifier: return "must be a letter or '_', then letters, digits and '_'";
                case TextForm.Version: return "must be major.minor, as in 1.0";
                default: return "may have letters, digits and _ . : - only";
            }
        }
    }
}
