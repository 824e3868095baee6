using System;
using System.Globalization;
using System.Text;

namespace Callsheet
{
    /// <summary>Names of GameObjects as ids of the protocol, and as names to be spoken.</summary>
    internal static class Ids
    {
        /// <summary>Of the 64 that an id may have: room is left for a number or nine characters of an own.</summary>
        private const int MaxChars = 55;
        private const string Clone = "(Clone)";

        /// <summary>A name as an id, with a number added if it is taken.</summary>
        internal static string From(string name, Func<string, bool> isTaken)
        {
            string free = From(name);
            for (int n = 2; isTaken(free); n++)
            {
                free = Numbered(name, n);
            }
            return free;
        }

        /// <summary>The id of the object that is the n-th of its name, from the second on.</summary>
        internal static string Numbered(string name, int n) => From(name) + "-" + n;

        /// <summary>
        /// A name as an id. ASCII that an id may not hold becomes an underscore; of every other script each
        /// character becomes its code point (村 = u6751), so that different names stay different.
        /// </summary>
        internal static string From(string name)
        {
            var id = new StringBuilder();
            for (int i = 0; i < name.Length; i++)
            {
                char c = name[i];
                bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                if (c < 128)
                {
                    id.Append(allowed ? c : '_');
                    continue;
                }
                bool isPair = i + 1 < name.Length && char.IsSurrogatePair(c, name[i + 1]);
                id.Append('u').Append((isPair ? char.ConvertToUtf32(c, name[++i]) : c).ToString("x4", CultureInfo.InvariantCulture));
            }
            if (id.Length > MaxChars)
            {
                string tail = "-" + Hash(name).ToString("x8", CultureInfo.InvariantCulture);
                id.Length = MaxChars - tail.Length;
                id.Append(tail);
            }
            return id.Length > 0 ? id.ToString() : "_";
        }

        /// <summary>A name without what Unity appends to those of copies: "Guard(Clone)" and "Guard (1)" are called Guard.</summary>
        internal static string Spoken(string name)
        {
            string spoken = name.TrimEnd();
            while (spoken.EndsWith(Clone, StringComparison.Ordinal))
            {
                spoken = spoken.Substring(0, spoken.Length - Clone.Length).TrimEnd();
            }
            int open = spoken.LastIndexOf(" (", StringComparison.Ordinal);
            bool isNumbered = open > 0 && spoken.EndsWith(")", StringComparison.Ordinal)
                && int.TryParse(spoken.Substring(open + 2, spoken.Length - open - 3), NumberStyles.None, CultureInfo.InvariantCulture, out int _);
            spoken = isNumbered ? spoken.Substring(0, open).TrimEnd() : spoken;
            return spoken.Length > 0 ? spoken : name;
        }

        /// <summary>FNV-1a: the same in every run and on every platform, as <c>string.GetHashCode</c> is not.</summary>
        private static uint Hash(string text)
        {
            uint hash = 2166136261;
            foreach (char c in text)
            {
                hash = unchecked((hash ^ c) * 16777619);
            }
            return hash;
        }
    }
}
