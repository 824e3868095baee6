namespace UnityEngine
{
    public sealed class GUILayoutOption
    {
        internal GUILayoutOption()
        {
        }
    }

    public class GUILayout
    {
        public static GUILayoutOption Width(float width) => new GUILayoutOption();

        public static bool Button(string text, params GUILayoutOption[] options) => false;

        public static void Label(string text, params GUILayoutOption[] options)
        {
        }

        public static string TextField(string text, params GUILayoutOption[] options) => text;

        public static void BeginArea(Rect screenRect)
        {
        }

        public static void EndArea()
        {
        }

        public static void BeginHorizontal(params GUILayoutOption[] options)
        {
        }

        public static void EndHorizontal()
        {
        }
    }

    public sealed class Screen
    {
        public static int width => 1280;

        public static int height => 720;
    }
}
