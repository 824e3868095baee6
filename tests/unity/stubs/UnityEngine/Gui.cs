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
    }
}
