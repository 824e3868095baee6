using System;
using System.Text;

namespace Callsheet
{
    /// <summary>Names of GameObjects as ids of the protocol.</summary>
    internal static class Ids
    {
        private const int MaxChars = 56;

        /// <summary>A name with what an id may not hold replaced, and a number added if it is taken.</summary>
        internal static string From(string name, Func<string, bool> isTaken)
        {
            var id = new StringBuilder();
            for (int i = 0; i < name.Length && id.Length < MaxChars; i++)
            {
                char c = name[i];
                bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                id.Append(allowed ? c : '_');
            }
            string first = id.Length > 0 ? id.ToString() : "_";
            string free = first;
            for (int n = 2; isTaken(free); n++)
            {
                free = first + "-" + n;
            }
            return free;
        }
    }
}
