using System.Collections.Generic;
using UnityEngine.SceneManagement;

namespace UnityEditor
{
    public enum PlayModeStateChange
    {
        EnteredEditMode,
        ExitingEditMode,
        EnteredPlayMode,
        ExitingPlayMode,
    }

    public sealed class EditorUtility
    {
        /// <summary>Those that are parts of prefabs. Not part of Unity's API.</summary>
        public static readonly HashSet<UnityEngine.Object> Persistent = new HashSet<UnityEngine.Object>();

        public static string OpenFilePanel(string title, string directory, string extension) => "";

        public static void DisplayProgressBar(string title, string info, float progress)
        {
        }

        public static void ClearProgressBar()
        {
        }

        public static bool IsPersistent(UnityEngine.Object target) => Persistent.Contains(target);
    }
}

namespace UnityEditor.SceneManagement
{
    public sealed class EditorSceneManager : SceneManager
    {
#pragma warning disable 67
        public static event SceneSavingCallback sceneSaving;
#pragma warning restore 67

        public delegate void SceneSavingCallback(Scene scene, string path);

        public static bool IsPreviewSceneObject(UnityEngine.Object obj) => false;
    }
}
