using System;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Callsheet
{
    /// <summary>Names of GameObjects as ids of the protocol, and as names to be spoken.</summary>
    internal static class Ids
    {
        /// <summary>Of the 64 that an id may have: room is left for a number or nine characters of an own.</summary>
        private const int MaxChars = 55;
        private static readonly Regex Appended = new Regex("(\\s*\\(Clone\\)|\\s+\\([0-9]+\\))*\\s*$");

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

        /// <summary>The id of the object that is the n-th of its name, from the second on: no id of a name has a colon.</summary>
        internal static string Numbered(string name, int n) => From(name) + ":" + n;

        /// <summary>
        /// A name as an id, another one for each name: as it reads, and with a number made from the whole name if that
        /// does not say all of it. "Guard-1", "Guard_1" and "Guard 1" are three.
        /// </summary>
        internal static string From(string name)
        {
            string id = Readable(name, MaxChars, out bool isWhole);
            string tail = "-" + Hash(name).ToString("x8", CultureInfo.InvariantCulture);
            return isWhole ? id : Readable(name, MaxChars - tail.Length, out isWhole) + tail;
        }

        /// <summary>
        /// A name in characters that an id may hold, and at most so many. Other ASCII becomes an underscore, of every
        /// other script each character its code point: 村 = u6751.
        /// </summary>
        internal static string Readable(string name) => Readable(name, MaxChars, out bool _);

        /// <summary>A name without what Unity appends to those of copies: "Guard(Clone)" and "Guard (1)" are called Guard.</summary>
        internal static string Spoken(string name)
        {
            string spoken = Appended.Replace(name, "");
            return spoken.Length > 0 ? spoken : name;
        }

        private static string Readable(string name, int maxChars, out bool isWhole)
        {
            var id = new StringBuilder();
            isWhole = name.Length > 0;
            for (int i = 0; i < name.Length; i++)
            {
                char c = name[i];
                bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                if (c < 128)
                {
                    id.Append(allowed ? c : '_');
                    isWhole &= allowed;
                    continue;
                }
                bool isPair = i + 1 < name.Length && char.IsSurrogatePair(c, name[i + 1]);
                id.Append('u').Append((isPair ? char.ConvertToUtf32(c, name[++i]) : c).ToString("x4", CultureInfo.InvariantCulture));
            }
            isWhole &= id.Length <= maxChars;
            return id.Length == 0 ? "_" : id.ToString(0, Math.Min(id.Length, maxChars));
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
