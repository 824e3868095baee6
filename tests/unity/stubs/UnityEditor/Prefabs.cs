namespace UnityEditor
{
    public static class PrefabUtility
    {
        public static bool IsPartOfPrefabAsset(UnityEngine.Object componentOrGameObject) => false;
    }
}

namespace UnityEditor.SceneManagement
{
    public sealed class PrefabStage : UnityEngine.ScriptableObject
    {
    }

    public static class PrefabStageUtility
    {
        public static PrefabStage GetPrefabStage(UnityEngine.GameObject gameObject) => null;
    }
}
